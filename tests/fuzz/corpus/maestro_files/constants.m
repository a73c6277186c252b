Constant Tile 4;
Network n { Layer a { Type: GEMM Dimensions { M: 8 N: 8 K: 8 } Dataflow { SpatialMap(Tile,Tile) M; TemporalMap(1,1) K; Cluster(Tile, L); SpatialMap(1,1) N; } }
Layer b { Type: GEMM Dimensions { M: 9 N: 7 K: 5 } } }

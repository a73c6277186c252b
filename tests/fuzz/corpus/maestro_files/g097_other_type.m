Network golden {
Layer gemm0 {
Type: GEMM
Dimensions { K: 100, M: 100, N: 100 }
Dataflow {
TemporalMap(1,1) N;
SpatialMap(1,1) M;
TemporalMap(100,100) K;
Cluster(100, P);
TemporalMap(1,1) N;
TemporalMap(1,1) M;
SpatialMap(1,1) K;
}
}
}

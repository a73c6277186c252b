Network 0 {
Layer CONV {
Type: CONV
Dimensions { K: 64, C: 64, Y: 226, X: 226, R: 3, S: 3 }
Dataflow {
TemporalMap(16,16) C;
TemporalMap(3,3) S;
SpatialMap(1,1) Y';
TemporalMap(3,3) R;
TemporalMap(56,56) X';
TemporalMap(64,64) K;
Cluster(28,P);
TemporalMap(1,1) C;
TemporalMap(1,1) Y';
SpatialMap(1,1) X';
TemporalMap(1,1) K;
TemporalMap(3,3) R;
TemporalMap(3,3) S;
}
}
}
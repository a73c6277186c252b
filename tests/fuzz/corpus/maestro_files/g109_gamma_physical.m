Network 0 {
Layer CONV {
Type: CONV
Dimensions { K: 256, C: 256, Y: 56, X: 56, R: 3, S: 3 }
Dataflow {
TemporalMap(1,1) Y';
SpatialMap(1,1) C;
TemporalMap(3,3) R;
TemporalMap(1,1) K;
TemporalMap(37,37) X';
TemporalMap(3,3) S;
Cluster(1,P);
TemporalMap(3,3) R;
SpatialMap(1,1) Y';
TemporalMap(1,1) K;
TemporalMap(3,3) S;
TemporalMap(33,33) X';
TemporalMap(1,1) C;
}
}
}
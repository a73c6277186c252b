Network 0 {
Layer CONV {
Type: CONV
Dimensions { K: 64, C: 3, Y: 224, X: 224, R: 3, S: 3 }
Dataflow {
SpatialMap(21,21) K;
TemporalMap(3,3) S;
TemporalMap(78,78) Y';
TemporalMap(3,3) C;
TemporalMap(10,10) X';
TemporalMap(3,3) R;
Cluster(79,P);
TemporalMap(2,2) K;
TemporalMap(9,9) X';
TemporalMap(1,1) C;
TemporalMap(3,3) S;
SpatialMap(1,1) Y';
TemporalMap(3,3) R;
}
}
}
Network golden {
Layer vgg16_conv5 {
Type: CONV
Stride { X: 1, Y: 1 }
Dimensions { K: 256, C: 128, R: 3, S: 3, Y: 58, X: 58 }
Dataflow {
SpatialMap(8,8) K;
TemporalMap(16,16) C;
TemporalMap(14,14) Y';
TemporalMap(14,14) X';
TemporalMap(Sz(R),Sz(R)) R;
TemporalMap(Sz(S),Sz(S)) S;
Cluster(32, P);
TemporalMap(4,4) K;
TemporalMap(16,16) C;
SpatialMap(2,2) Y';
TemporalMap(14,14) X';
TemporalMap(Sz(R),Sz(R)) R;
TemporalMap(Sz(S),Sz(S)) S;
Cluster(4, P);
TemporalMap(1,1) K;
SpatialMap(4,4) C;
TemporalMap(1,1) Y';
TemporalMap(2,2) X';
TemporalMap(Sz(R),Sz(R)) R;
TemporalMap(Sz(S),Sz(S)) S;
}
}
}

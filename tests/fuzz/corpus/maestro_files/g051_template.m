Network golden {
Layer vgg16_conv5 {
Type: CONV
Stride { X: 1, Y: 1 }
Dimensions { K: 256, C: 128, R: 3, S: 3, Y: 58, X: 58 }
Dataflow {
TemporalMap(1,1) K;
TemporalMap(1,1) C;
TemporalMap(Sz(R),1) Y;
SpatialMap(Sz(S),1) X;
TemporalMap(Sz(R),Sz(R)) R;
TemporalMap(Sz(S),Sz(S)) S;
}
}
}

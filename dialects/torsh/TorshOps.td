// All ops of the torsh dialect, by topic.
#ifndef TORSH_OPS_TD
#define TORSH_OPS_TD

include "Elementwise.td"
include "ShapeOps.td"
include "Contraction.td"
include "Pooling.td"
include "Reduction.td"
include "Normalization.td"
include "Attention.td"
include "Recurrent.td"
include "Indexing.td"
include "Resize.td"
include "Random.td"
include "Constants.td"
include "ControlFlow.td"
include "Winograd.td"
include "Plan.td"

#endif // TORSH_OPS_TD

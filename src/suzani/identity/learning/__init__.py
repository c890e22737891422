"""What a full run learns from the records themselves, and the engine that learns it.

`engine` goes from fields to persons on arrays alone; `training` and `anchors` make the model without labels;
`estimates` tell how good the result is; `knowledge` is what later deltas and single records are judged by;
`evidence` is what an edge rests on.
"""

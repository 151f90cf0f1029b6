uda = dict(
    type='PBALSelfTraining',
    # The classifier's rows as prototypes, live; divided by all positions, as in the published code.
    contrast=dict(prototypes='classifier', temperature=0.07, weight=1.0, detach=False, divisor='all'),
    target_weight=1.0,
    # True feeds target images as 0..1, as the published loader does (docs/pbal.md).
    legacy_target_norm=False,
)

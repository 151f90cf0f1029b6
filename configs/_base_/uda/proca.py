uda = dict(
    type='ProCA',
    # Folder of tools/init_prototypes.py; None = the prototypes start at zero.
    prototypes=None,
    temperature=50.0,
    # Compared with the highest raw score, as in the published runs; confidence='probability' is the other way.
    threshold=0.9,
    confidence='logit',
    feature_weight=1.0,
    output_weight=1.0,
    rule='pixel_mean',
    update='both',
)

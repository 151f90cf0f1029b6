uda = dict(
    type='MinEnt',
    entropy_weight=dict(main=0.001, aux=0.0002),
    # Read by a masked pass only (masking=dict(...)).
    teacher=dict(alpha=0.999),
    pseudo_labels=dict(threshold=0.968, ignore_top=0, ignore_bottom=0),
    strong_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)

uda = dict(
    type='DACS',
    teacher=dict(alpha=0.99),
    pseudo_labels=dict(threshold=0.968, ignore_top=0, ignore_bottom=0),
    mixing=dict(type='ClassMix'),
    strong_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True),
)

# DDB, step 1: self-training on bridging images, here those of the class path (ca). The region path (cu) has CutMix.
uda = dict(
    type='DACS',
    teacher=dict(alpha=0.99),
    pseudo_labels=dict(threshold=0.968, ignore_top=0, ignore_bottom=0),
    mixing=dict(type='ClassMix', classes='image'),
    # Every image has its own decisions, and is blurred along its rows only.
    strong_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True, scope='image', blur_axes='x'),
)

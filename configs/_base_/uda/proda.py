uda = dict(
    type='ProDA',
    # Folder of tools/init_prototypes.py --domain target.
    prototypes=None,
    rectify=True,
    tau=1.0,
    threshold=0.0,
    ce_weight=0.1,
    rce_weight=1.0,
    regulariser='MRKLD',
    regulariser_weight=0.1,
    consistency_weight=10.0,
    prototype_momentum=1e-4,
    # The whole image of 2048x1024, as published; teacher_view='crop' saves memory and time.
    teacher_view='whole',
    teacher=dict(alpha=0.999, eval_mode=True),
    strong_view=dict(operations=2, flip=0.5, cutout=1 / 3, label_stride=4, replay='ordered'),
)

uda = dict(
    type='PrototypeDistillation',
    # The authors' correction; distillation='published' is what their code computes.
    distillation='kl',
    weight=1.0,
    strong_view=dict(operations=2, flip=0.5, cutout=1 / 3, label_stride=4, replay='ordered'),
)

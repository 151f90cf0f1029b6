# DDB, step 2: both teachers label the target images for a new student. Configs over this one list the teachers.
uda = dict(
    type='CrossPathDistillation',
    mode='hard',
    # Each teacher's probabilities times the weights that the distances to its own class prototypes give.
    rectify='probability',
    pseudo_labels=dict(weighting='none'),
    strong_augment=dict(jitter_strength=0.2, jitter_probability=0.8, blur=True, scope='image', blur_axes='x'),
)

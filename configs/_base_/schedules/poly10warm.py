# Linear warm-up over 1500 iterations, then linearly to 0 at the end of the run.
param_scheduler = dict(type='Poly10Warm')

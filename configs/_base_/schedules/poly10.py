# Falls to 1e-4, so an encoder that starts at 6e-5 speeds up: kept for DAFormer's experiment 4.
param_scheduler = dict(type='Poly10')

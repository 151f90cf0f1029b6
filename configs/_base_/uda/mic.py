_base_ = ['dacs_a999_fdthings.py']

# 1024x1024 crops; at half the resolution the blocks are 32 pixels wide.
uda = dict(
    masking=dict(
        mode='separatetrgaug',
        alpha='same',
        threshold='same',
        weight=1,
        generator=dict(type='block', mask_ratio=0.7, mask_block_size=64),
    ),
)

# CDDA on MIC: depth guidance, and the target images once more with blocks blanked out.
_base_ = ['cdda.py']

uda = dict(
    masking=dict(
        mode='separatetrgaug',
        # 32 pixels of the published 512x512 crops.
        generator=dict(type='block', mask_ratio=0.7, mask_block_size=16),
        # Whole test images have other statistics than masked ones (docs/benchmark_findings.md).
        update_statistics=False,
    ),
)

name = 'demo_cdda_mic'

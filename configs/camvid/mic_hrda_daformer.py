# MIC with HRDA's network: whole crops and close looks, masked and unmasked.
_base_ = ['hrda_daformer.py']

uda = dict(
    masking=dict(
        mode='separatetrgaug',
        # 64 pixels of the published 1024x1024 crops.
        generator=dict(type='block', mask_ratio=0.7, mask_block_size=16),
        # Whole test images have other statistics than masked ones (docs/benchmark_findings.md).
        update_statistics=False,
    ),
)

name = 'camvid_mic_hrda_daformer'

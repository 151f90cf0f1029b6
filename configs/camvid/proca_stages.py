# ProCA, whole, on CamVid, day to dusk: the stages of GTA with other configs.
#   python run_experiments.py --config configs/camvid/proca_stages.py
_base_ = ['../proca/gta5_deeplabv2_r101_stages.py']

name = 'proca'
exp = 'camvid'

stages = dict(
    warmup=dict(train='configs/camvid/source_only_daformer.py'),
    adapt=dict(train='configs/camvid/proca.py'),
    # The published stage starts anew, from ImageNet weights; that takes more iterations than there are here.
    self_training=dict(train='configs/camvid/proca_ssl.py', load_from='{adapt}'),
)

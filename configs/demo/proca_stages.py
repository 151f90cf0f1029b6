# ProCA, whole, on the made-up street scenes: the stages of GTA with other configs.
#   python run_experiments.py --config configs/demo/proca_stages.py
_base_ = ['../proca/gta5_deeplabv2_r101_stages.py']

name = 'proca'
exp = 'demo'

stages = dict(
    warmup=dict(train='configs/demo/source_only.py'),
    adapt=dict(train='configs/demo/proca.py'),
    # The published stage starts anew, from ImageNet weights; that takes more iterations than there are here.
    self_training=dict(train='configs/demo/proca_ssl.py', load_from='{adapt}'),
)

_base_ = ['st_syns2city_512x512_pmd.py']

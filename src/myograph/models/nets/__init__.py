"""Networks, in torch.

The modules in here import torch when they are imported. So only functions that need a network
import them, see `myograph.models.deep`.
"""

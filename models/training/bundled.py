"""What our own training shares with the retraining bundle. The bundle has to stand alone, so it lies there."""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bundle"))
from bundle_data import from_counts, from_string  # noqa: E402
from bundle_model import CLASS_LAYERS, Plain, Residual, SmallBackbone, SmallPredictor, conv  # noqa: E402
from train_torchvision import target  # noqa: E402

__all__ = ["CLASS_LAYERS", "Plain", "Residual", "SmallBackbone", "SmallPredictor", "conv", "from_counts", "from_string", "target"]

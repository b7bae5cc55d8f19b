"""What our work costs beside the bare libraries, taken in one run; nothing of it is part of the product."""

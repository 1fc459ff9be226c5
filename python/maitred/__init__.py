"""maitred's Python side. Only `maitred.worker` lives here: the zygote and the workers that the front starts."""

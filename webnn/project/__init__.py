"""An owner's folder: a model, its settings and a module that gives the data; checked, and made a run of."""

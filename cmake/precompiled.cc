// Nothing of its own: the object library needs one source to hang the precompiled headers on.

"""The stand-in for AWS of `cargo xtask deploy --local`.

An existing emulator, ministack, answers the calls, keeps the images and starts the containers. Where it
behaves differently from AWS in a way that a deploy of ours would notice, a module of this package
replaces that one function of it. Each module says which facts of AWS it restores.
"""

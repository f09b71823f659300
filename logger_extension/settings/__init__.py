"""Settings by area: each reads its own variables; `config.py` composes them."""

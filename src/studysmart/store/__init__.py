"""The only place with SQL.

`Store.write()` and `Store.read()` give a transaction (`Tx`); the modules beside this one are verbs
on it, a module a noun: `learners`, `tasks`, `attempts`, `models`, `jobs`, `audit` and so on.
"""

from sqlalchemy import Row

from studysmart.store.database import Store, Tx, integrity, size_bytes

__all__ = ["Row", "Store", "Tx", "integrity", "size_bytes"]

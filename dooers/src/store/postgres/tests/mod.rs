//! Tests that need a database. `tests/run` finds them by the name of the module.

mod on_postgres;

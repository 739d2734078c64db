//! What needs a database, which its path says to `tests/run`.

mod on_postgres;

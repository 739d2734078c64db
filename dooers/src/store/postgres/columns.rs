//! Rows on their way into the database, column by column.
//!
//! A statement that takes many rows takes one array for each of their columns, and unnests them. What belongs to such a
//! group of rows stands in one place: the names and types of its columns, its arrays, and the SQL that unnests them.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgHasArrayType};
use sqlx::{Arguments, Encode, Postgres, Type};
use std::error::Error;

/// A value in a column.
pub(super) trait Value:
    for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType
{
    /// Its type's name.
    const TYPE: &'static str;
}

impl Value for i64 {
    const TYPE: &'static str = "bigint";
}

impl Value for bool {
    const TYPE: &'static str = "boolean";
}

impl Value for String {
    const TYPE: &'static str = "text";
}

impl Value for DateTime<Utc> {
    const TYPE: &'static str = "timestamptz";
}

impl<T: Value> Value for Option<T>
where
    Self: for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType,
{
    const TYPE: &'static str = T::TYPE;
}

/// Adds one array to a statement's arguments.
pub(super) fn add<T: Value>(
    arguments: &mut PgArguments,
    column: Vec<T>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    arguments.add(column)
}

/// Declares groups of rows, and a struct of all of them.
///
/// Each group gets a struct of a row, and one of its columns. `unnested` writes `unnest(…) AS x (…)` with the numbers of the
/// parameters, which are counted through all groups in their order.
macro_rules! groups {
    (
        $(#[$all_doc:meta])* $all:ident: $first:literal
        $($(#[$doc:meta])* $field:ident: $row:ident / $columns:ident { $($column:ident: $type:ty,)+ })+
    ) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(super) struct $row {
                $(pub(super) $column: $type,)+
            }

            #[derive(Debug, Default)]
            pub(super) struct $columns {
                $($column: Vec<$type>,)+
            }

            impl $columns {
                pub(super) fn push(&mut self, row: $row) {
                    $(self.$column.push(row.$column);)+
                }

                pub(super) fn is_empty(&self) -> bool {
                    [$(self.$column.is_empty()),+].iter().all(|is_empty| *is_empty)
                }
            }
        )+

        $(#[$all_doc])*
        #[derive(Debug, Default)]
        pub(super) struct $all {
            $(pub(super) $field: $columns,)+
        }

        impl $all {
            /// Puts what unnests each group in the place of its name in braces.
            pub(super) fn unnested(sql: &str) -> String {
                let mut sql = sql.to_owned();
                let mut parameter = $first;
                $(
                    let (mut arrays, mut names) = (Vec::new(), Vec::new());
                    $(
                        let type_name = <$type as $crate::store::postgres::columns::Value>::TYPE;
                        arrays.push(format!("${parameter}::{type_name}[]"));
                        names.push(stringify!($column));
                        parameter += 1;
                    )+
                    let unnested = format!("unnest({}) AS x ({})", arrays.join(", "), names.join(", "));
                    sql = sql.replace(concat!("{", stringify!($field), "}"), &unnested);
                )+
                let _ = parameter;
                sql
            }

            /// Adds all arrays, in the order of their numbers.
            pub(super) fn add_to(
                self,
                arguments: &mut sqlx::postgres::PgArguments,
            ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
                $($(
                    $crate::store::postgres::columns::add(arguments, self.$field.$column)?;
                )+)+
                Ok(())
            }

            pub(super) fn is_empty(&self) -> bool {
                [$(self.$field.is_empty()),+].iter().all(|is_empty| *is_empty)
            }
        }
    };
}

pub(super) use groups;

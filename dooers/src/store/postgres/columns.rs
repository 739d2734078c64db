//! Rows on their way into the database, column by column.
//!
//! A statement that takes many rows takes one array for each of their columns, and unnests them. What belongs to such a
//! group of rows stands in one place: the names and types of its columns, and its arrays.

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

/// A group of rows.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: &'static str,
    /// The name and the type of each column.
    pub(super) columns: &'static [(&'static str, &'static str)],
}

/// Which of the groups there are, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Groups(u32);

impl Groups {
    pub(super) fn of(groups: impl IntoIterator<Item = bool>) -> Self {
        let places = groups.into_iter().enumerate();
        Self(places.fold(0, |set, (place, is_there)| {
            set | u32::from(is_there) << place
        }))
    }

    pub(super) fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Declares groups of rows, at most 32, and a struct of all of them.
///
/// Each group gets a struct of a row, and one of its columns.
macro_rules! groups {
    (
        $(#[$all_doc:meta])* $all:ident
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
            pub(super) const GROUPS: &'static [$crate::store::postgres::columns::Group] = &[
                $($crate::store::postgres::columns::Group {
                    name: stringify!($field),
                    columns: &[$((
                        stringify!($column),
                        <$type as $crate::store::postgres::columns::Value>::TYPE,
                    )),+],
                }),+
            ];

            /// Those groups that have rows.
            pub(super) fn groups(&self) -> $crate::store::postgres::columns::Groups {
                $crate::store::postgres::columns::Groups::of([$(!self.$field.is_empty()),+])
            }

            /// Adds the arrays of the groups that have rows, in the order of the groups and of their columns.
            pub(super) fn add_to(
                self,
                arguments: &mut sqlx::postgres::PgArguments,
            ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
                $(if !self.$field.is_empty() {
                    $($crate::store::postgres::columns::add(arguments, self.$field.$column)?;)+
                })+
                Ok(())
            }
        }
    };
}

pub(super) use groups;

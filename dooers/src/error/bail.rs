//! Macros that return an `AgentError`.

/// Returns from a function with an [`AgentError`](crate::AgentError).
///
/// The arguments are those of `format!`, or one value that converts into an `AgentError`: any error, or an `AgentError`
/// itself.
///
/// ```
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn dice(request: WorkerRequest) -> Result<String> {
///     let Ok(sides) = request.message.trim().parse::<u32>() else {
///         dooers::bail!(AgentError::public("How many sides?"));
///     };
///     if sides > 100 {
///         dooers::bail!("a die with {sides} sides does not exist");
///     }
///     Ok(format!("A {sides}"))
/// }
/// ```
#[macro_export]
macro_rules! bail {
    ($text:literal $(,)?) => {
        return ::std::result::Result::Err($crate::AgentError::from(::std::format!($text)))
    };
    ($error:expr $(,)?) => {
        return ::std::result::Result::Err($crate::AgentError::from($error))
    };
    ($text:literal, $($arguments:tt)*) => {
        return ::std::result::Result::Err($crate::AgentError::from(::std::format!($text, $($arguments)*)))
    };
}

/// Returns from a function with an [`AgentError`](crate::AgentError) unless a condition holds.
///
/// The arguments after the condition are those of [`bail!`](crate::bail). Without them, the error names the condition.
///
/// ```
/// use dooers::prelude::*;
///
/// fn half(number: u32) -> Result<u32> {
///     dooers::ensure!(number % 2 == 0, "{number} is odd");
///     dooers::ensure!(number > 0);
///     Ok(number / 2)
/// }
///
/// assert_eq!(half(8).unwrap(), 4);
/// assert_eq!(half(3).unwrap_err().to_string(), "3 is odd");
/// assert_eq!(half(0).unwrap_err().to_string(), "condition failed: `number > 0`");
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr $(,)?) => {
        $crate::ensure!(
            $condition,
            ::std::concat!("condition failed: `", ::std::stringify!($condition), "`").to_owned()
        )
    };
    ($condition:expr, $($error:tt)+) => {
        if $condition {
        } else {
            $crate::bail!($($error)+);
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{AgentError, Result};
    use std::io;

    fn fails(how: u8) -> Result<u8> {
        let limit = 3;
        match how {
            0 => bail!("plain"),
            1 => bail!("{how} of {limit}"),
            2 => bail!("{} of {limit}", how),
            3 => bail!(io::Error::other("disk full")),
            4 => bail!(AgentError::public("Later.")),
            5 => bail!("{:?}", Some(how),),
            6 => bail!(String::from("{owned}")),
            _ => {}
        }
        ensure!(how != 7);
        ensure!(how != 8, "not {how}");
        ensure!(how != 9, AgentError::retryable("busy"));
        ensure!(matches!(how, 10 | 11), "{} not {}", how, "known",);
        Ok(how)
    }

    #[test]
    fn bail_and_ensure_return_the_error() {
        let texts: Vec<_> = (0..10)
            .map(|how| fails(how).unwrap_err().to_string())
            .collect();
        assert_eq!(
            texts,
            [
                "plain",
                "1 of 3",
                "2 of 3",
                "disk full",
                "Later.",
                "Some(5)",
                "{owned}",
                "condition failed: `how != 7`",
                "not 8",
                "busy",
            ]
        );
        assert_eq!(fails(4).unwrap_err().public_text(), Some("Later."));
        assert!(fails(9).unwrap_err().is_retryable());
        assert_eq!(fails(10).unwrap(), 10);
        assert_eq!(fails(12).unwrap_err().to_string(), "12 not known");
    }
}

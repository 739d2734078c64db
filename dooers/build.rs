//! The build script. It prepares the files of the playground, which the crate embeds.

#[cfg(feature = "playground")]
#[path = "build/playground.rs"]
mod playground;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "playground")]
    playground::compress()?;
    Ok(())
}

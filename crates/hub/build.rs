//! Compiles the hub again when the console was built anew, which is embedded into it.

fn main() {
    let built = "../../ui/dist";
    // While there is none, its folder is watched for one.
    let watched = if std::path::Path::new(built).exists() { built } else { "../../ui" };
    println!("cargo::rerun-if-changed={watched}");
}

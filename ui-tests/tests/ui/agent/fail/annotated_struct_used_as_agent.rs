#[dooers::agent(crate = dooers)]
struct Support;

fn serve<A: dooers::Agent>() {}

fn main() {
    serve::<Support>();
}

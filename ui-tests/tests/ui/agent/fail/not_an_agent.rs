struct Support;

fn serve<A: dooers::Agent>() {}

fn main() {
    serve::<Support>();
}

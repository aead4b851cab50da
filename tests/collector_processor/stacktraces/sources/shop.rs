struct Cart {
    items: Vec<u32>,
}

impl Cart {
    #[inline(never)]
    fn total(&self, index: usize) -> u32 {
        self.items[index] // <<0.0 shop::Cart::total @19>>
    }
}

trait Pay {
    fn pay(&self) -> u32;
}

impl Pay for Cart {
    #[inline(never)]
    fn pay(&self) -> u32 {
        (0..1).map(|_| self.total(7)).sum() // <<0.1 <shop::Cart as shop::Pay>::pay::{{closure}} @29>> <<0.2 <shop::Cart as shop::Pay>::pay @39>>
    }
}

fn main() {
    let cart = Cart { items: vec![1] };
    println!("{}", cart.pay()); // <<0.3 shop::main @25>>
}

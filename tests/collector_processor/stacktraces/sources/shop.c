struct cart {
  int *items;
};

__attribute__((noinline)) static int total(struct cart *cart, int index) {
  return cart->items[index]; /* <<0.0 total>> */
}

__attribute__((noinline)) static int pay(struct cart *cart, const char *card) {
  return total(cart, card[0]) + 1; /* <<0.1 pay>> */
}

int main(void) {
  struct cart cart = {0};
  return pay(&cart, "a (b) at c.c:3") + 1; /* <<0.2 main>> */
}

#include <vector>

namespace shop {
template <typename T>
struct Cart {
  T *items;
  __attribute__((noinline)) T total(int index) const {
    return items[index];  // <<0.0 shop::Cart<int>::total(int) const>>
  }
};

__attribute__((noinline)) int pay(const Cart<int> &cart, int (*pick)(int)) {
  return cart.total(pick(7)) + 1;  // <<0.1 shop::pay(shop::Cart<int> const&, int (*)(int))>>
}
}  // namespace shop

static int pick(int index) { return index; }

int main() {
  int *items = new int[2];
  shop::Cart<int> cart{items};
  int paid = shop::pay(cart, pick);  // <<0.2 main>>
  delete[] items;
  return paid;
}

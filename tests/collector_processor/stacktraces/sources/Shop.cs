using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Shop {
  class Declined : Exception {
    public Declined(string message, Exception inner) : base(message, inner) {}
  }

  class Cart<T> {
    public int Total(IEnumerable<T> items, Func<T, int> price) {
      int total = 0;
      foreach (T item in items) total += price(item); // <<1.1 Shop.Cart`1[T].Total>>
      return total;
    }

    public int Pay(List<T> items) {
      try {
        return Total(items, item => throw new InvalidOperationException("no price")); // <<1.0 Shop.Cart`1[T].<Pay>m__0>> <<1.2 Shop.Cart`1[T].Pay>>
      } catch (InvalidOperationException inner) {
        throw new Declined("declined", inner); // <<0.0 Shop.Cart`1[T].Pay>>
      }
    }
  }

  static class Program {
    static void Main(string[] arguments) {
      new Cart<string>().Pay(new List<string> { "a" }); // <<0.1 Shop.Program.Main>>
    }
  }
}

import java.util.List;
import java.util.function.Function;

public class Shop {
  static class Till implements AutoCloseable {
    public void close() {
      throw new IllegalStateException("till jammed"); // <<1.0 Shop$Till.close>>
    }
  }

  static final class Declined extends RuntimeException {
    Declined(String message, Throwable cause) {
      super(message, cause);
    }
  }

  Shop(int amount) {
    if (amount > 1) {
      throw new IllegalArgumentException("too much: " + amount); // <<2.0 Shop.<init>>>
    }
  }

  static <T> void charge(List<T> amounts) {
    try (Till till = new Till()) { // <<1.1 Shop.charge>>
      for (T amount : amounts) {
        pay((Integer) amount); // <<0.1 Shop.charge>>
      }
    }
  }

  static void pay(int amount) {
    try {
      new Shop(amount); // <<2.1 Shop.pay>>
    } catch (IllegalArgumentException cause) {
      throw new Declined("declined\nby the bank", cause); // <<0.0 Shop.pay>>
    }
  }

  public static void main(String[] arguments) {
    Function<List<Integer>, Void> run = amounts -> {
      charge(amounts); // <<0.2 Shop.lambda$main$0>>
      return null;
    };
    run.apply(List.of(1, 2)); // <<0.3 Shop.main>>
  }
}

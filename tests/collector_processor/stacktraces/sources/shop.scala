package shop

class Declined(message: String, cause: Throwable) extends RuntimeException(message, cause)

class Cart(items: List[Int]):
  def total: Int = items.map(price).sum // <<1.1 shop.Cart.total$$anonfun$1>> <<1.2 shop.Cart.total>>

  def price(item: Int): Int =
    if item > 1 then throw IllegalArgumentException("too much") // <<1.0 shop.Cart.price>>
    else item

  def ++(other: Cart): Int =
    try total + other.total // <<1.3 shop.Cart.$plus$plus>>
    catch case cause: IllegalArgumentException =>
      throw Declined("declined", cause) // <<0.0 shop.Cart.$plus$plus>>

object Main:
  def main(arguments: Array[String]): Unit =
    println(Cart(List(1, 2)) ++ Cart(Nil)) // <<0.1 shop.Main$.main>> <<0.2 shop.Main.main @->>

package shop

class Declined(message: String, cause: Throwable) : RuntimeException(message, cause)

class Cart {
    companion object {
        fun of(amount: Int): Cart {
            require(amount < 2) { "too much" } // <<1.0 shop.Cart$Companion.of>>
            return Cart()
        }
    }

    fun `pays the whole cart`(amounts: List<Int>): Cart =
        try {
            amounts.map { of(it) }.last() // <<1.2 shop.Cart.pays the whole cart>>
        } catch (cause: IllegalArgumentException) {
            throw Declined("declined", cause) // <<0.0 shop.Cart.pays the whole cart>>
        }

    private fun of(amount: Int) = Cart.of(amount) // <<1.1 shop.Cart.of>>
}

fun main() {
    listOf(1).forEach { _ ->
        Cart().`pays the whole cart`(listOf(1, 2)) // <<0.1 shop.ShopKt.main>> <<0.2 shop.ShopKt.main @->>
    }
}

defmodule Shop.Declined do
  defexception message: "declined"
end

defmodule Shop.Cart do
  def total(items) do
    Enum.map(items, fn item -> price(item) + 0 end) # <<0.1 anonymous fn/1 in Shop.Cart.total/1>> <<0.2 Shop.Cart.total/1>>
    |> Enum.sum()
  end

  def price(item) do
    if item > 0, do: raise(Shop.Declined), else: item # <<0.0 Shop.Cart.price/1>>
  end

  def run do
    total([1, 2]) + 1 # <<0.3 Shop.Cart.run/0>>
  end
end

Shop.Cart.run()

module Shop
  class Declined < StandardError; end

  class Cart
    def total(items)
      items.map { |item| item + nil }.sum # <<1.0 +>> <<1.1 block in total>> <<1.2 map>> <<1.3 total>>
    end

    def pay # <<0.1 pay>>
      total([1]) # <<1.4 pay>>
    rescue TypeError
      raise Declined, "declined\nby the bank" # <<0.0 rescue in pay>>
    end

    def self.run
      new.pay # <<0.2 run>> <<1.5 run>>
    end
  end
end

Shop::Cart.run # <<0.3 <main>>> <<1.6 <main>>>

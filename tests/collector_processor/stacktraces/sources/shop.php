<?php
namespace Shop;

class Declined extends \RuntimeException {}

class Cart {
    public function total(array $items): int {
        return array_sum(array_map(function (int $item) { // <<1.1 array_map>>
            throw new \DomainException("no price in 'list' (1)");
        }, $items));
    }

    public function pay(): int {
        try {
            return $this->total([1]); // <<1.2 Shop\Cart->total>>
        } catch (\DomainException $cause) {
            throw new Declined("declined", 7, $cause);
        }
    }

    public static function run(): int {
        return (new self())->pay(); // <<0.0 Shop\Cart->pay>> <<1.3 Shop\Cart->pay>>
    }
}

Cart::run(); // <<0.1 Shop\Cart::run>> <<1.4 Shop\Cart::run>>

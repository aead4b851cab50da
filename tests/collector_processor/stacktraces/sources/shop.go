package main

type number interface{ ~int }

type cart[T number] struct{ items []T }

//go:noinline
func (c *cart[T]) total(n int) T {
	return c.items[n] // <<0.0 main.(*cart[...]).total>>
}

//go:noinline
func try(f func() int) int {
	return f() // <<0.2 main.try>>
}

func main() {
	c := &cart[int]{items: []int{1}}
	done := make(chan int)
	go func() { // <<0.4 main.main>>
		done <- try(func() int { // <<0.3 main.main.func1>>
			return c.total(5) // <<0.1 main.main.func1.1>>
		})
	}()
	<-done
}

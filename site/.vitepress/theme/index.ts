/// <reference types="vite/client" />
/** VitePress's default theme, with more contrast, and a main landmark on the home page. */
import type { EnhanceAppContext } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import './style.css';

export default {
  extends: DefaultTheme,
  enhanceApp: ({ router }: EnhanceAppContext) => {
    if (import.meta.env.SSR) return;
    router.onAfterRouteChange = () => {
      // All other layouts have a `main` element.
      const { layout } = router.route.data.frontmatter;
      // After the page was rendered.
      requestAnimationFrame(() => {
        document.querySelector('.VPSidebar .is-active.has-active, .VPSidebar .is-active')?.scrollIntoView({
          block: 'center',
        });
        const content = document.getElementById('VPContent');
        if (layout === 'home') content?.setAttribute('role', 'main');
        else content?.removeAttribute('role');
      });
    };
  },
};
